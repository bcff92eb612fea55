module @concat_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xf32>, %arg1: tensor<2x1xf32>, %arg2: tensor<2x3xf32>, %arg3: tensor<2x7xf32>) -> (tensor<2x7xf32>, tensor<2x3xf32>, tensor<2x1xf32>, tensor<2x3xf32>) {
    %0 = stablehlo.concatenate %arg0, %arg1, %arg2, dim = 1 : (tensor<2x3xf32>, tensor<2x1xf32>, tensor<2x3xf32>) -> tensor<2x7xf32>
    %1 = stablehlo.slice %arg3 [0:2, 0:3] : (tensor<2x7xf32>) -> tensor<2x3xf32>
    %2 = stablehlo.slice %arg3 [0:2, 3:4] : (tensor<2x7xf32>) -> tensor<2x1xf32>
    %3 = stablehlo.slice %arg3 [0:2, 4:7] : (tensor<2x7xf32>) -> tensor<2x3xf32>
    return %0, %1, %2, %3 : tensor<2x7xf32>, tensor<2x3xf32>, tensor<2x1xf32>, tensor<2x3xf32>
  }
}
