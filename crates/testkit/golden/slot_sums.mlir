module @slot_sums attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3x4xf32>, %arg1: tensor<2x3x37xf32>, %arg2: tensor<4x37xf32>) -> (tensor<4x37xf32>, tensor<2x3x4xf32>, tensor<2x3x37xf32>) {
    %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [0, 1] x [0, 1], precision = [HIGHEST, HIGHEST] : (tensor<2x3x4xf32>, tensor<2x3x37xf32>) -> tensor<4x37xf32>
    %1 = stablehlo.dot_general %arg1, %arg2, contracting_dims = [2] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2x3x37xf32>, tensor<4x37xf32>) -> tensor<2x3x4xf32>
    %2 = stablehlo.dot_general %arg0, %arg2, contracting_dims = [2] x [0], precision = [HIGHEST, HIGHEST] : (tensor<2x3x4xf32>, tensor<4x37xf32>) -> tensor<2x3x37xf32>
    return %0, %1, %2 : tensor<4x37xf32>, tensor<2x3x4xf32>, tensor<2x3x37xf32>
  }
}
