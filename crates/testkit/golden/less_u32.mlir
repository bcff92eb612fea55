module @less_u32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2xui32>, %arg1: tensor<2xui32>) -> (tensor<2xi1>) {
    %0 = stablehlo.compare LT, %arg0, %arg1, UNSIGNED : (tensor<2xui32>, tensor<2xui32>) -> tensor<2xi1>
    return %0 : tensor<2xi1>
  }
}
