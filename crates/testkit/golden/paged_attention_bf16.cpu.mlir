module @paged_attention_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x6x32xbf16>, %arg1: tensor<24x2x32xbf16>, %arg2: tensor<24x2x32xbf16>, %arg3: tensor<2x3xi32>, %arg4: tensor<5xi32>, %arg5: tensor<5xi32>) -> (tensor<5x6x32xbf16>) {
    %0 = stablehlo.custom_call @collegium.paged_attention(%arg0, %arg1, %arg2, %arg3, %arg4, %arg5) {api_version = 4 : i32, backend_config = {page = 4 : i64, window = 0 : i64}} : (tensor<5x6x32xbf16>, tensor<24x2x32xbf16>, tensor<24x2x32xbf16>, tensor<2x3xi32>, tensor<5xi32>, tensor<5xi32>) -> tensor<5x6x32xbf16>
    return %0 : tensor<5x6x32xbf16>
  }
}
