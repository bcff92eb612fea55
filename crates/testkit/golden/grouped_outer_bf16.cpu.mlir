module @grouped_outer_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<8x4xbf16>, %arg1: tensor<8x3xbf16>, %arg2: tensor<3x4x3xf32>) -> (tensor<3x4x3xf32>, tensor<8x4xbf16>, tensor<8x3xbf16>) {
    %0 = stablehlo.constant dense<6> : tensor<i32>
    %1 = stablehlo.iota dim = 0 : tensor<8xi32>
    %2 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<8xi32>
    %3 = stablehlo.compare LT, %1, %2, SIGNED : (tensor<8xi32>, tensor<8xi32>) -> tensor<8xi1>
    %4 = stablehlo.constant dense<0.0> : tensor<bf16>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<bf16>) -> tensor<8x4xbf16>
    %6 = stablehlo.broadcast_in_dim %3, dims = [0] : (tensor<8xi1>) -> tensor<8x4xi1>
    %7 = stablehlo.select %6, %arg0, %5 : tensor<8x4xi1>, tensor<8x4xbf16>
    %8 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<bf16>) -> tensor<8x3xbf16>
    %9 = stablehlo.broadcast_in_dim %3, dims = [0] : (tensor<8xi1>) -> tensor<8x3xi1>
    %10 = stablehlo.select %9, %arg1, %8 : tensor<8x3xi1>, tensor<8x3xbf16>
    %11 = stablehlo.constant dense<[2, 0, 2, 3]> : tensor<4xi32>
    %12 = stablehlo.custom_call @collegium.grouped_outer(%7, %10, %11) {api_version = 4 : i32, backend_config = {}} : (tensor<8x4xbf16>, tensor<8x3xbf16>, tensor<4xi32>) -> tensor<3x4x3xf32>
    %13 = stablehlo.convert %arg2 : (tensor<3x4x3xf32>) -> tensor<3x4x3xbf16>
    %14 = stablehlo.custom_call @collegium.grouped_dot(%10, %13, %11) {api_version = 4 : i32, backend_config = {weights_transposed = 1 : i64}} : (tensor<8x3xbf16>, tensor<3x4x3xbf16>, tensor<4xi32>) -> tensor<8x4xbf16>
    %15 = stablehlo.custom_call @collegium.grouped_dot(%7, %13, %11) {api_version = 4 : i32, backend_config = {weights_transposed = 0 : i64}} : (tensor<8x4xbf16>, tensor<3x4x3xbf16>, tensor<4xi32>) -> tensor<8x3xbf16>
    %16 = stablehlo.constant dense<0.0> : tensor<8x3xbf16>
    %17 = stablehlo.select %9, %15, %16 : tensor<8x3xi1>, tensor<8x3xbf16>
    %18 = stablehlo.constant dense<0.0> : tensor<8x4xbf16>
    %19 = stablehlo.select %6, %14, %18 : tensor<8x4xi1>, tensor<8x4xbf16>
    return %12, %19, %17 : tensor<3x4x3xf32>, tensor<8x4xbf16>, tensor<8x3xbf16>
  }
}
