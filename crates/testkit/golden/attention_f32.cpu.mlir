module @attention_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x7x4x6xf32>, %arg1: tensor<2x7x2x6xf32>, %arg2: tensor<2x7x2x6xf32>, %arg3: tensor<2x7xi32>, %arg4: tensor<2x7x4x6xf32>) -> (tensor<2x7x4x6xf32>, tensor<2x7x4x6xf32>, tensor<2x7x2x6xf32>, tensor<2x7x2x6xf32>) {
    %0:2 = stablehlo.custom_call @collegium.attention(%arg0, %arg1, %arg2, %arg3) {api_version = 4 : i32, backend_config = {window = 0 : i64}} : (tensor<2x7x4x6xf32>, tensor<2x7x2x6xf32>, tensor<2x7x2x6xf32>, tensor<2x7xi32>) -> (tensor<2x7x4x6xf32>, tensor<2x4x7xf32>)
    %1:3 = stablehlo.custom_call @collegium.attention_gradient(%arg0, %arg1, %arg2, %arg3, %0#0, %0#1, %arg4) {api_version = 4 : i32, backend_config = {window = 0 : i64}} : (tensor<2x7x4x6xf32>, tensor<2x7x2x6xf32>, tensor<2x7x2x6xf32>, tensor<2x7xi32>, tensor<2x7x4x6xf32>, tensor<2x4x7xf32>, tensor<2x7x4x6xf32>) -> (tensor<2x7x4x6xf32>, tensor<2x7x2x6xf32>, tensor<2x7x2x6xf32>)
    return %0#0, %1#0, %1#1, %1#2 : tensor<2x7x4x6xf32>, tensor<2x7x4x6xf32>, tensor<2x7x2x6xf32>, tensor<2x7x2x6xf32>
  }
}
