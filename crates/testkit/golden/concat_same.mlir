module @concat_same attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xf32>, %arg1: tensor<4x3xf32>) -> (tensor<4x3xf32>, tensor<2x3xf32>) {
    %0 = stablehlo.concatenate %arg0, %arg0, dim = 0 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
    %1 = stablehlo.slice %arg1 [0:2, 0:3] : (tensor<4x3xf32>) -> tensor<2x3xf32>
    %2 = stablehlo.slice %arg1 [2:4, 0:3] : (tensor<4x3xf32>) -> tensor<2x3xf32>
    %3 = stablehlo.add %1, %2 : tensor<2x3xf32>
    return %0, %3 : tensor<4x3xf32>, tensor<2x3xf32>
  }
}
