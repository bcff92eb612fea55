module @running_sum_short attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3x4xf32>, %arg1: tensor<2x3x4xf32>) -> (tensor<2x3x4xf32>, tensor<2x3x4xf32>) {
    %0 = stablehlo.iota dim = 0 : tensor<3x3xf32>
    %1 = stablehlo.iota dim = 1 : tensor<3x3xf32>
    %2 = stablehlo.compare LE, %0, %1, FLOAT : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xi1>
    %3 = stablehlo.convert %2 : (tensor<3x3xi1>) -> tensor<3x3xf32>
    %4 = stablehlo.dot_general %arg0, %3, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<2x3x4xf32>, tensor<3x3xf32>) -> tensor<2x4x3xf32>
    %5 = stablehlo.transpose %4, dims = [0, 2, 1] : (tensor<2x4x3xf32>) -> tensor<2x3x4xf32>
    %6 = stablehlo.transpose %arg1, dims = [0, 2, 1] : (tensor<2x3x4xf32>) -> tensor<2x4x3xf32>
    %7 = stablehlo.dot_general %6, %3, contracting_dims = [2] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2x4x3xf32>, tensor<3x3xf32>) -> tensor<2x4x3xf32>
    %8 = stablehlo.transpose %7, dims = [0, 2, 1] : (tensor<2x4x3xf32>) -> tensor<2x3x4xf32>
    return %5, %8 : tensor<2x3x4xf32>, tensor<2x3x4xf32>
  }
}
