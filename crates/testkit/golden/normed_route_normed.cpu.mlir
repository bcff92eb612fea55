module @normed_route_normed attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x9xbf16>, %arg1: tensor<6x9xbf16>, %arg2: tensor<6xf32>, %arg3: tensor<9xbf16>) -> (tensor<5x9xbf16>) {
    %0:3 = stablehlo.custom_call @collegium.route(%arg0, %arg1, %arg2, %arg3) {api_version = 4 : i32, backend_config = {eps_bits = 925353388 : i64, normalise = 1 : i64}} : (tensor<5x9xbf16>, tensor<6x9xbf16>, tensor<6xf32>, tensor<9xbf16>) -> (tensor<5x2xf32>, tensor<5x2xi32>, tensor<5x9xbf16>)
    return %0#2 : tensor<5x9xbf16>
  }
}
