module @dot_two_dims attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3x4xf32>, %arg1: tensor<4x2x3xf32>, %arg2: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x3x4xf32>, tensor<4x2x3xf32>) {
    %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [1, 2] x [2, 0], precision = [HIGHEST, HIGHEST] : (tensor<2x3x4xf32>, tensor<4x2x3xf32>) -> tensor<2x2xf32>
    %1 = stablehlo.dot_general %arg2, %arg1, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2x2xf32>, tensor<4x2x3xf32>) -> tensor<2x4x3xf32>
    %2 = stablehlo.transpose %1, dims = [0, 2, 1] : (tensor<2x4x3xf32>) -> tensor<2x3x4xf32>
    %3 = stablehlo.dot_general %arg2, %arg0, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<2x2xf32>, tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
    %4 = stablehlo.transpose %3, dims = [2, 0, 1] : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
    return %0, %2, %4 : tensor<2x2xf32>, tensor<2x3x4xf32>, tensor<4x2x3xf32>
  }
}
