module @packed_dot_int8 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x37xbf16>, %arg1: tensor<2x19x64x2xi8>, %arg2: tensor<2x2x64xbf16>) -> (tensor<5x70xbf16>) {
    %0 = stablehlo.custom_call @collegium.chain(%arg0, %arg1, %arg2) {api_version = 4 : i32, backend_config = {kernels = "packed_dot", names = "eps_bits features is_added is_normed", steps = array<i64: 0, 4, 0, 0, 1, 70, 2, 0, 3, 0, 3, 0, 0, 2, 5, 37, 1, 0, 4, 2, 19, 64, 2, 2, 0, 3, 2, 2, 64, 1>}} : (tensor<5x37xbf16>, tensor<2x19x64x2xi8>, tensor<2x2x64xbf16>) -> tensor<5x70xbf16>
    return %0#0 : tensor<5x70xbf16>
  }
}
