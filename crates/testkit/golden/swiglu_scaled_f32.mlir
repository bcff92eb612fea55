module @swiglu_scaled_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<6x19xf32>, %arg1: tensor<6x19xf32>, %arg2: tensor<6xf32>, %arg3: tensor<6x19xf32>) -> (tensor<6x19xf32>, tensor<6x19xf32>, tensor<6x19xf32>, tensor<6xf32>) {
    %0 = stablehlo.logistic %arg0 : tensor<6x19xf32>
    %1 = stablehlo.multiply %arg0, %0 : tensor<6x19xf32>
    %2 = stablehlo.multiply %1, %arg1 : tensor<6x19xf32>
    %3 = stablehlo.broadcast_in_dim %arg2, dims = [0] : (tensor<6xf32>) -> tensor<6x19xf32>
    %4 = stablehlo.multiply %2, %3 : tensor<6x19xf32>
    %5 = stablehlo.multiply %arg3, %3 : tensor<6x19xf32>
    %6 = stablehlo.multiply %5, %arg1 : tensor<6x19xf32>
    %7 = stablehlo.multiply %6, %0 : tensor<6x19xf32>
    %8 = stablehlo.negate %0 : tensor<6x19xf32>
    %9 = stablehlo.constant dense<1.0> : tensor<f32>
    %10 = stablehlo.broadcast_in_dim %9, dims = [] : (tensor<f32>) -> tensor<6x19xf32>
    %11 = stablehlo.add %8, %10 : tensor<6x19xf32>
    %12 = stablehlo.multiply %arg0, %11 : tensor<6x19xf32>
    %13 = stablehlo.add %12, %10 : tensor<6x19xf32>
    %14 = stablehlo.multiply %7, %13 : tensor<6x19xf32>
    %15 = stablehlo.multiply %5, %arg0 : tensor<6x19xf32>
    %16 = stablehlo.multiply %15, %0 : tensor<6x19xf32>
    %17 = stablehlo.multiply %arg3, %2 : tensor<6x19xf32>
    %18 = stablehlo.constant dense<0.0> : tensor<f32>
    %19 = stablehlo.reduce(%17 init: %18) applies stablehlo.add across dimensions = [1] : (tensor<6x19xf32>, tensor<f32>) -> tensor<6xf32>
    return %4, %14, %16, %19 : tensor<6x19xf32>, tensor<6x19xf32>, tensor<6x19xf32>, tensor<6xf32>
  }
}
