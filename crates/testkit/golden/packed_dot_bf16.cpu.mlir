module @packed_dot_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x48xbf16>, %arg1: tensor<2x24x64x2xbf16>) -> (tensor<5x70xf32>) {
    %0 = stablehlo.custom_call @collegium.chain(%arg0, %arg1) {api_version = 4 : i32, backend_config = {kernels = "packed_dot", names = "eps_bits features is_added is_normed", steps = array<i64: 0, 4, 0, 0, 1, 70, 2, 0, 3, 0, 2, 0, 0, 2, 5, 48, 1, 0, 4, 2, 24, 64, 2, 1>}} : (tensor<5x48xbf16>, tensor<2x24x64x2xbf16>) -> tensor<5x70xf32>
    return %0#0 : tensor<5x70xf32>
  }
}
