module @rms_norm_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x2x9xbf16>, %arg1: tensor<9xbf16>) -> (tensor<5x2x9xbf16>) {
    %0 = stablehlo.custom_call @collegium.rms_norm(%arg0, %arg1) {api_version = 4 : i32, backend_config = {eps_bits = 925353388 : i64}} : (tensor<5x2x9xbf16>, tensor<9xbf16>) -> tensor<5x2x9xbf16>
    return %0 : tensor<5x2x9xbf16>
  }
}
