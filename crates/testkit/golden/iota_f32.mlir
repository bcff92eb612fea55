module @iota_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main() -> (tensor<2x3x4xf32>) {
    %0 = stablehlo.iota dim = 2 : tensor<2x3x4xf32>
    return %0 : tensor<2x3x4xf32>
  }
}
