module @all_gather_first_dim attributes {mhlo.num_replicas = 4 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<4x3xf32>, %arg1: tensor<16x3xf32>) -> (tensor<16x3xf32>, tensor<4x3xf32>) {
    %0 = "stablehlo.all_gather"(%arg0) <{all_gather_dim = 0 : i64, replica_groups = dense<[[0, 1, 2, 3]]> : tensor<1x4xi64>}> : (tensor<4x3xf32>) -> tensor<16x3xf32>
    %1 = "stablehlo.reduce_scatter"(%arg1) <{replica_groups = dense<[[0, 1, 2, 3]]> : tensor<1x4xi64>, scatter_dimension = 0 : i64}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %s = stablehlo.add %a, %b : tensor<f32>
      stablehlo.return %s : tensor<f32>
    }) : (tensor<16x3xf32>) -> tensor<4x3xf32>
    return %0, %1 : tensor<16x3xf32>, tensor<4x3xf32>
  }
}
