module @dot_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xbf16>, %arg1: tensor<5x3xbf16>, %arg2: tensor<2x5xbf16>) -> (tensor<2x5xbf16>, tensor<2x3xbf16>, tensor<5x3xbf16>) {
    %0 = stablehlo.constant dense<0> : tensor<1xi32>
    %1 = stablehlo.reshape %arg1 : (tensor<5x3xbf16>) -> tensor<1x5x3xbf16>
    %2 = stablehlo.custom_call @collegium.grouped_dot(%arg0, %1, %0) {api_version = 4 : i32, backend_config = {weights_transposed = 1 : i64}} : (tensor<2x3xbf16>, tensor<1x5x3xbf16>, tensor<1xi32>) -> tensor<2x5xbf16>
    %3 = stablehlo.constant dense<0> : tensor<1xi32>
    %4 = stablehlo.reshape %arg1 : (tensor<5x3xbf16>) -> tensor<1x5x3xbf16>
    %5 = stablehlo.custom_call @collegium.grouped_dot(%arg2, %4, %3) {api_version = 4 : i32, backend_config = {weights_transposed = 0 : i64}} : (tensor<2x5xbf16>, tensor<1x5x3xbf16>, tensor<1xi32>) -> tensor<2x3xf32>
    %6 = stablehlo.convert %5 : (tensor<2x3xf32>) -> tensor<2x3xbf16>
    %7 = stablehlo.constant dense<0> : tensor<1xi32>
    %8 = stablehlo.custom_call @collegium.grouped_outer(%arg2, %arg0, %7) {api_version = 4 : i32, backend_config = {}} : (tensor<2x5xbf16>, tensor<2x3xbf16>, tensor<1xi32>) -> tensor<1x5x3xf32>
    %9 = stablehlo.reshape %8 : (tensor<1x5x3xf32>) -> tensor<5x3xf32>
    %10 = stablehlo.convert %9 : (tensor<5x3xf32>) -> tensor<5x3xbf16>
    return %2, %6, %10 : tensor<2x5xbf16>, tensor<2x3xbf16>, tensor<5x3xbf16>
  }
}
