module @packed_dot_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x37xf32>, %arg1: tensor<2x37x64xf32>) -> (tensor<5x70xf32>) {
    %0 = stablehlo.custom_call @collegium.chain(%arg0, %arg1) {api_version = 4 : i32, backend_config = {kernels = "packed_dot", names = "eps_bits features is_added is_normed", steps = array<i64: 0, 4, 0, 0, 1, 70, 2, 0, 3, 0, 2, 0, 0, 2, 5, 37, 1, 0, 3, 2, 37, 64, 1>}} : (tensor<5x37xf32>, tensor<2x37x64xf32>) -> tensor<5x70xf32>
    return %0#0 : tensor<5x70xf32>
  }
}
