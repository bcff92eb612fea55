module @multiply_broadcast_left attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<3xf32>, %arg1: tensor<2x3x4xf32>, %arg2: tensor<2x3x4xf32>) -> (tensor<2x3x4xf32>, tensor<3xf32>, tensor<2x3x4xf32>) {
    %0 = stablehlo.broadcast_in_dim %arg0, dims = [1] : (tensor<3xf32>) -> tensor<2x3x4xf32>
    %1 = stablehlo.multiply %0, %arg1 : tensor<2x3x4xf32>
    %2 = stablehlo.multiply %arg2, %arg1 : tensor<2x3x4xf32>
    %3 = stablehlo.multiply %arg2, %0 : tensor<2x3x4xf32>
    %4 = stablehlo.constant dense<0.0> : tensor<f32>
    %5 = stablehlo.reduce(%2 init: %4) applies stablehlo.add across dimensions = [0, 2] : (tensor<2x3x4xf32>, tensor<f32>) -> tensor<3xf32>
    return %1, %5, %3 : tensor<2x3x4xf32>, tensor<3xf32>, tensor<2x3x4xf32>
  }
}
