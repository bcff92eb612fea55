module @normed_route_normed attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x9xbf16>, %arg1: tensor<6x9xbf16>, %arg2: tensor<6xf32>, %arg3: tensor<9xbf16>) -> (tensor<5x9xbf16>) {
    %0:3 = stablehlo.custom_call @collegium.chain(%arg0, %arg1, %arg2, %arg3) {api_version = 4 : i32, backend_config = {kernels = "route", names = "eps_bits normalise", steps = array<i64: 0, 2, 0, 925353388, 1, 1, 4, 0, 0, 2, 5, 9, 1, 0, 2, 6, 9, 2, 0, 1, 6, 3, 0, 1, 9, 3>}} : (tensor<5x9xbf16>, tensor<6x9xbf16>, tensor<6xf32>, tensor<9xbf16>) -> (tensor<5x2xf32>, tensor<5x2xi32>, tensor<5x9xbf16>)
    return %0#2 : tensor<5x9xbf16>
  }
}
