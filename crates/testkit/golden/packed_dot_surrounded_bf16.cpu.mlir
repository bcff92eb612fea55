module @packed_dot_surrounded_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x38xbf16>, %arg1: tensor<38xbf16>, %arg2: tensor<5x70xbf16>, %arg3: tensor<2x19x64x2xbf16>) -> (tensor<5x70xbf16>) {
    %0 = stablehlo.custom_call @collegium.packed_dot(%arg0, %arg3, %arg1, %arg2) {api_version = 4 : i32, backend_config = {eps_bits = 925353388 : i64, features = 70 : i64, is_added = 1 : i64, is_normed = 1 : i64}} : (tensor<5x38xbf16>, tensor<2x19x64x2xbf16>, tensor<38xbf16>, tensor<5x70xbf16>) -> tensor<5x70xbf16>
    return %0 : tensor<5x70xbf16>
  }
}
