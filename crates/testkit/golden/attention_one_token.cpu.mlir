module @attention_one_token attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x1x3x4xf32>, %arg1: tensor<2x1x1x4xf32>, %arg2: tensor<2x1x1x4xf32>, %arg3: tensor<2x1xi32>) -> (tensor<2x1x3x4xf32>) {
    %0 = stablehlo.custom_call @collegium.attention(%arg0, %arg1, %arg2, %arg3) {api_version = 4 : i32, backend_config = {window = 0 : i64}} : (tensor<2x1x3x4xf32>, tensor<2x1x1x4xf32>, tensor<2x1x1x4xf32>, tensor<2x1xi32>) -> tensor<2x1x3x4xf32>
    return %0 : tensor<2x1x3x4xf32>
  }
}
