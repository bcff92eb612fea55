module @max_u32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2xui32>) -> (tensor<ui32>) {
    %0 = stablehlo.constant dense<0> : tensor<ui32>
    %1 = stablehlo.reduce(%arg0 init: %0) applies stablehlo.maximum across dimensions = [0] : (tensor<2xui32>, tensor<ui32>) -> tensor<ui32>
    return %1 : tensor<ui32>
  }
}
