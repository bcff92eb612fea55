module @one_hot_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xi32>) -> (tensor<2x3x4xf32>) {
    %0 = stablehlo.iota dim = 2 : tensor<2x3x4xi32>
    %1 = stablehlo.broadcast_in_dim %arg0, dims = [0, 1] : (tensor<2x3xi32>) -> tensor<2x3x4xi32>
    %2 = stablehlo.compare EQ, %1, %0, SIGNED : (tensor<2x3x4xi32>, tensor<2x3x4xi32>) -> tensor<2x3x4xi1>
    %3 = stablehlo.convert %2 : (tensor<2x3x4xi1>) -> tensor<2x3x4xf32>
    return %3 : tensor<2x3x4xf32>
  }
}
