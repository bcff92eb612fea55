module @literal_f16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main() -> (tensor<2x3xf16>) {
    %0 = stablehlo.constant dense<[[1.0, -0.099975586, 1.001358e-5], [65504.0, 0x7C00, 0.0]]> : tensor<2x3xf16>
    return %0 : tensor<2x3xf16>
  }
}
