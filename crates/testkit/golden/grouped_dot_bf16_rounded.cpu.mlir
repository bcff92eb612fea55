module @grouped_dot_bf16_rounded attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<8x4xbf16>, %arg1: tensor<3x3x4xbf16>, %arg2: tensor<8x3xbf16>) -> (tensor<8x3xbf16>, tensor<8x4xbf16>, tensor<3x3x4xbf16>) {
    %0 = stablehlo.constant dense<6> : tensor<i32>
    %1 = stablehlo.iota dim = 0 : tensor<8xi32>
    %2 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<8xi32>
    %3 = stablehlo.compare LT, %1, %2, SIGNED : (tensor<8xi32>, tensor<8xi32>) -> tensor<8xi1>
    %4 = stablehlo.constant dense<0.0> : tensor<bf16>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<bf16>) -> tensor<8x4xbf16>
    %6 = stablehlo.broadcast_in_dim %3, dims = [0] : (tensor<8xi1>) -> tensor<8x4xi1>
    %7 = stablehlo.select %6, %arg0, %5 : tensor<8x4xi1>, tensor<8x4xbf16>
    %8 = stablehlo.constant dense<[2, 0, 2, 3]> : tensor<4xi32>
    %9 = stablehlo.custom_call @collegium.grouped_dot(%7, %arg1, %8) {api_version = 4 : i32, backend_config = {weights_transposed = 1 : i64}} : (tensor<8x4xbf16>, tensor<3x3x4xbf16>, tensor<4xi32>) -> tensor<8x3xbf16>
    %10 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<bf16>) -> tensor<8x3xbf16>
    %11 = stablehlo.broadcast_in_dim %3, dims = [0] : (tensor<8xi1>) -> tensor<8x3xi1>
    %12 = stablehlo.select %11, %9, %10 : tensor<8x3xi1>, tensor<8x3xbf16>
    %13 = stablehlo.constant dense<0.0> : tensor<8x3xbf16>
    %14 = stablehlo.select %11, %arg2, %13 : tensor<8x3xi1>, tensor<8x3xbf16>
    %15 = stablehlo.custom_call @collegium.grouped_dot(%14, %arg1, %8) {api_version = 4 : i32, backend_config = {weights_transposed = 0 : i64}} : (tensor<8x3xbf16>, tensor<3x3x4xbf16>, tensor<4xi32>) -> tensor<8x4xbf16>
    %16 = stablehlo.custom_call @collegium.grouped_outer(%14, %7, %8) {api_version = 4 : i32, backend_config = {}} : (tensor<8x3xbf16>, tensor<8x4xbf16>, tensor<4xi32>) -> tensor<3x3x4xf32>
    %17 = stablehlo.convert %16 : (tensor<3x3x4xf32>) -> tensor<3x3x4xbf16>
    %18 = stablehlo.constant dense<0.0> : tensor<8x4xbf16>
    %19 = stablehlo.select %6, %15, %18 : tensor<8x4xi1>, tensor<8x4xbf16>
    return %12, %19, %17 : tensor<8x3xbf16>, tensor<8x4xbf16>, tensor<3x3x4xbf16>
  }
}
