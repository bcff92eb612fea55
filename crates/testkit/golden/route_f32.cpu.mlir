module @route_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x9xf32>, %arg1: tensor<6x9xf32>, %arg2: tensor<6xf32>) -> (tensor<5x2xf32>) {
    %0:2 = stablehlo.custom_call @collegium.chain(%arg0, %arg1, %arg2) {api_version = 4 : i32, backend_config = {kernels = "route", names = "eps_bits normalise", steps = array<i64: 0, 2, 0, 0, 1, 0, 3, 0, 0, 2, 5, 9, 1, 0, 2, 6, 9, 2, 0, 1, 6, 2>}} : (tensor<5x9xf32>, tensor<6x9xf32>, tensor<6xf32>) -> (tensor<5x2xf32>, tensor<5x2xi32>)
    return %0#0 : tensor<5x2xf32>
  }
}
