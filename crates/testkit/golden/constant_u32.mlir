module @constant_u32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main() -> (tensor<2x3xui32>) {
    %0 = stablehlo.constant dense<4294967295> : tensor<2x3xui32>
    return %0 : tensor<2x3xui32>
  }
}
