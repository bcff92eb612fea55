module @packed_dot_surrounded_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x38xf32>, %arg1: tensor<38xf32>, %arg2: tensor<5x70xf32>, %arg3: tensor<2x38x64xf32>) -> (tensor<5x70xf32>) {
    %0 = stablehlo.custom_call @collegium.chain(%arg0, %arg3, %arg1, %arg2) {api_version = 4 : i32, backend_config = {kernels = "packed_dot", names = "eps_bits features is_added is_normed", steps = array<i64: 0, 4, 0, 925353388, 1, 70, 2, 1, 3, 1, 4, 0, 0, 2, 5, 38, 1, 0, 3, 2, 38, 64, 2, 0, 1, 38, 3, 0, 2, 5, 70, 1>}} : (tensor<5x38xf32>, tensor<2x38x64xf32>, tensor<38xf32>, tensor<5x70xf32>) -> tensor<5x70xf32>
    return %0#0 : tensor<5x70xf32>
  }
}
