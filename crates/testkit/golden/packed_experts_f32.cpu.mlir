module @packed_experts_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<3x66xf32>, %arg1: tensor<3x2xf32>, %arg2: tensor<3x2xi32>, %arg3: tensor<3x66xf32>, %arg4: tensor<4x1x66x64xf32>, %arg5: tensor<4x1x66x64xf32>, %arg6: tensor<4x2x20x64xf32>) -> (tensor<3x66xf32>) {
    %0 = stablehlo.custom_call @collegium.chain(%arg0, %arg1, %arg2, %arg4, %arg5, %arg6, %arg3) {api_version = 4 : i32, backend_config = {kernels = "packed_experts", names = "intermediate is_added", steps = array<i64: 0, 2, 0, 20, 1, 1, 7, 0, 0, 2, 3, 66, 1, 0, 2, 3, 2, 2, 0, 2, 3, 2, 3, 0, 4, 4, 1, 66, 64, 4, 0, 4, 4, 1, 66, 64, 5, 0, 4, 4, 2, 20, 64, 6, 0, 2, 3, 66, 1>}} : (tensor<3x66xf32>, tensor<3x2xf32>, tensor<3x2xi32>, tensor<4x1x66x64xf32>, tensor<4x1x66x64xf32>, tensor<4x2x20x64xf32>, tensor<3x66xf32>) -> tensor<3x66xf32>
    return %0#0 : tensor<3x66xf32>
  }
}
