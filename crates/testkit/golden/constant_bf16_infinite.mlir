module @constant_bf16_infinite attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main() -> (tensor<2x3xbf16>) {
    %0 = stablehlo.constant dense<0xFF80> : tensor<2x3xbf16>
    return %0 : tensor<2x3xbf16>
  }
}
