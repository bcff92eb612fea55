module @dot_i32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xi32>, %arg1: tensor<5x3xi32>) -> (tensor<2x5xi32>) {
    %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [1] x [1] : (tensor<2x3xi32>, tensor<5x3xi32>) -> tensor<2x5xi32>
    return %0 : tensor<2x5xi32>
  }
}
