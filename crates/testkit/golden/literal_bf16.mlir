module @literal_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main() -> (tensor<2x3xbf16>) {
    %0 = stablehlo.constant dense<[[1.0, -0.100097656, 1.0011718e-7], [3.0040553e38, 0xFF80, 0.0]]> : tensor<2x3xbf16>
    return %0 : tensor<2x3xbf16>
  }
}
