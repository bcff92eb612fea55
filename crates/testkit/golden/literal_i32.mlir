module @literal_i32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main() -> (tensor<2x3xi32>) {
    %0 = stablehlo.constant dense<[[0, 1, -1], [2147483647, 5, 6]]> : tensor<2x3xi32>
    return %0 : tensor<2x3xi32>
  }
}
