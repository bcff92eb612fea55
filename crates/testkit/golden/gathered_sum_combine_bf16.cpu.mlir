module @gathered_sum_combine_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<9x21xbf16>, %arg1: tensor<4x2xi32>, %arg2: tensor<9x1xi32>, %arg3: tensor<4x21xbf16>) -> (tensor<4x21xbf16>, tensor<9x21xbf16>) {
    %0 = stablehlo.custom_call @collegium.gathered_sum(%arg0, %arg1, %arg2) {api_version = 4 : i32, backend_config = {}} : (tensor<9x21xbf16>, tensor<4x2xi32>, tensor<9x1xi32>) -> tensor<4x21xbf16>
    %1 = stablehlo.custom_call @collegium.gathered_sum(%arg3, %arg2, %arg1) {api_version = 4 : i32, backend_config = {}} : (tensor<4x21xbf16>, tensor<9x1xi32>, tensor<4x2xi32>) -> tensor<9x21xbf16>
    return %0, %1 : tensor<4x21xbf16>, tensor<9x21xbf16>
  }
}
