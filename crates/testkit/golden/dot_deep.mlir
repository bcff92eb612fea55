module @dot_deep attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<3x300xf32>, %arg1: tensor<300x2xf32>, %arg2: tensor<3x2xf32>) -> (tensor<3x2xf32>, tensor<3x300xf32>, tensor<300x2xf32>) {
    %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x300xf32>, tensor<300x2xf32>) -> tensor<3x2xf32>
    %1 = stablehlo.dot_general %arg2, %arg1, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<300x2xf32>) -> tensor<3x300xf32>
    %2 = stablehlo.dot_general %arg2, %arg0, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<3x300xf32>) -> tensor<2x300xf32>
    %3 = stablehlo.transpose %2, dims = [1, 0] : (tensor<2x300xf32>) -> tensor<300x2xf32>
    return %0, %1, %3 : tensor<3x2xf32>, tensor<3x300xf32>, tensor<300x2xf32>
  }
}
