module @packed_dot_int8 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x37xbf16>, %arg1: tensor<2x19x64x2xi8>, %arg2: tensor<2x2x64xbf16>) -> (tensor<5x70xbf16>) {
    %0 = stablehlo.custom_call @collegium.packed_dot(%arg0, %arg1, %arg2) {api_version = 4 : i32, backend_config = {eps_bits = 0 : i64, features = 70 : i64, is_added = 0 : i64, is_normed = 0 : i64}} : (tensor<5x37xbf16>, tensor<2x19x64x2xi8>, tensor<2x2x64xbf16>) -> tensor<5x70xbf16>
    return %0 : tensor<5x70xbf16>
  }
}
