module @dot_batch_last attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<4x2xf32>, %arg1: tensor<3x2x4xf32>, %arg2: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<4x2xf32>, tensor<3x2x4xf32>) {
    %0 = stablehlo.dot_general %arg0, %arg1, batching_dims = [1] x [1], contracting_dims = [0] x [2], precision = [HIGHEST, HIGHEST] : (tensor<4x2xf32>, tensor<3x2x4xf32>) -> tensor<2x3xf32>
    %1 = stablehlo.dot_general %arg2, %arg1, batching_dims = [0] x [1], contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<2x3xf32>, tensor<3x2x4xf32>) -> tensor<2x4xf32>
    %2 = stablehlo.transpose %1, dims = [1, 0] : (tensor<2x4xf32>) -> tensor<4x2xf32>
    %3 = stablehlo.dot_general %arg2, %arg0, batching_dims = [0] x [1], contracting_dims = [] x [], precision = [HIGHEST, HIGHEST] : (tensor<2x3xf32>, tensor<4x2xf32>) -> tensor<2x3x4xf32>
    %4 = stablehlo.transpose %3, dims = [1, 0, 2] : (tensor<2x3x4xf32>) -> tensor<3x2x4xf32>
    return %0, %2, %4 : tensor<2x3xf32>, tensor<4x2xf32>, tensor<3x2x4xf32>
  }
}
