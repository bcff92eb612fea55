module @dot_scalar attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xf32>, %arg1: tensor<2x3xf32>, %arg2: tensor<f32>) -> (tensor<f32>, tensor<2x3xf32>, tensor<2x3xf32>) {
    %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [0, 1] x [0, 1], precision = [HIGHEST, HIGHEST] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<f32>
    %1 = stablehlo.dot_general %arg2, %arg1, contracting_dims = [] x [], precision = [HIGHEST, HIGHEST] : (tensor<f32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    %2 = stablehlo.dot_general %arg2, %arg0, contracting_dims = [] x [], precision = [HIGHEST, HIGHEST] : (tensor<f32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    return %0, %1, %2 : tensor<f32>, tensor<2x3xf32>, tensor<2x3xf32>
  }
}
