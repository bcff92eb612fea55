module @swiglu_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<6x19xf32>, %arg1: tensor<6x19xf32>, %arg2: tensor<6x19xf32>) -> (tensor<6x19xf32>, tensor<6x19xf32>, tensor<6x19xf32>) {
    %0 = stablehlo.logistic %arg0 : tensor<6x19xf32>
    %1 = stablehlo.multiply %arg0, %0 : tensor<6x19xf32>
    %2 = stablehlo.multiply %1, %arg1 : tensor<6x19xf32>
    %3 = stablehlo.multiply %arg2, %arg1 : tensor<6x19xf32>
    %4 = stablehlo.multiply %3, %0 : tensor<6x19xf32>
    %5 = stablehlo.negate %0 : tensor<6x19xf32>
    %6 = stablehlo.constant dense<1.0> : tensor<f32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [] : (tensor<f32>) -> tensor<6x19xf32>
    %8 = stablehlo.add %5, %7 : tensor<6x19xf32>
    %9 = stablehlo.multiply %arg0, %8 : tensor<6x19xf32>
    %10 = stablehlo.add %9, %7 : tensor<6x19xf32>
    %11 = stablehlo.multiply %4, %10 : tensor<6x19xf32>
    %12 = stablehlo.multiply %arg2, %arg0 : tensor<6x19xf32>
    %13 = stablehlo.multiply %12, %0 : tensor<6x19xf32>
    return %2, %11, %13 : tensor<6x19xf32>, tensor<6x19xf32>, tensor<6x19xf32>
  }
}
