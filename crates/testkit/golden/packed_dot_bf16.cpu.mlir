module @packed_dot_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x48xbf16>, %arg1: tensor<2x24x64x2xbf16>) -> (tensor<5x70xf32>) {
    %0 = stablehlo.custom_call @collegium.packed_dot(%arg0, %arg1) {api_version = 4 : i32, backend_config = {eps_bits = 0 : i64, features = 70 : i64, is_added = 0 : i64, is_normed = 0 : i64}} : (tensor<5x48xbf16>, tensor<2x24x64x2xbf16>) -> tensor<5x70xf32>
    return %0 : tensor<5x70xf32>
  }
}
