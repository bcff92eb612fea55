module @literal_scalar attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main() -> (tensor<f32>) {
    %0 = stablehlo.constant dense<2.5> : tensor<f32>
    return %0 : tensor<f32>
  }
}
