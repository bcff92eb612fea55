module @silu_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xf32>, %arg1: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
    %0 = stablehlo.logistic %arg0 : tensor<2x3xf32>
    %1 = stablehlo.multiply %arg0, %0 : tensor<2x3xf32>
    %2 = stablehlo.multiply %arg1, %0 : tensor<2x3xf32>
    %3 = stablehlo.multiply %arg1, %arg0 : tensor<2x3xf32>
    %4 = stablehlo.negate %0 : tensor<2x3xf32>
    %5 = stablehlo.constant dense<1.0> : tensor<f32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %7 = stablehlo.add %4, %6 : tensor<2x3xf32>
    %8 = stablehlo.multiply %0, %7 : tensor<2x3xf32>
    %9 = stablehlo.multiply %3, %8 : tensor<2x3xf32>
    %10 = stablehlo.add %2, %9 : tensor<2x3xf32>
    return %1, %10 : tensor<2x3xf32>, tensor<2x3xf32>
  }
}
