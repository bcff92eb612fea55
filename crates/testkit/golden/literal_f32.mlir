module @literal_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main() -> (tensor<2x3xf32>) {
    %0 = stablehlo.constant dense<[[1.0, -0.1, 1.0e-7], [3.0e38, 0x7F800000, 0x7FC00000]]> : tensor<2x3xf32>
    return %0 : tensor<2x3xf32>
  }
}
