module @select_broadcast attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<3xi1>, %arg1: tensor<2x3xf32>, %arg2: tensor<2xf32>, %arg3: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2xf32>) {
    %0 = stablehlo.broadcast_in_dim %arg2, dims = [0] : (tensor<2xf32>) -> tensor<2x3xf32>
    %1 = stablehlo.broadcast_in_dim %arg0, dims = [1] : (tensor<3xi1>) -> tensor<2x3xi1>
    %2 = stablehlo.select %1, %arg1, %0 : tensor<2x3xi1>, tensor<2x3xf32>
    %3 = stablehlo.constant dense<0.0> : tensor<2x3xf32>
    %4 = stablehlo.select %1, %arg3, %3 : tensor<2x3xi1>, tensor<2x3xf32>
    %5 = stablehlo.select %1, %3, %arg3 : tensor<2x3xi1>, tensor<2x3xf32>
    %6 = stablehlo.constant dense<0.0> : tensor<f32>
    %7 = stablehlo.reduce(%5 init: %6) applies stablehlo.add across dimensions = [1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
    return %2, %4, %7 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2xf32>
  }
}
