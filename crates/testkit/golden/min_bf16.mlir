module @min_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xbf16>, %arg1: tensor<2xbf16>) -> (tensor<2xbf16>, tensor<2x3xbf16>) {
    %0 = stablehlo.constant dense<0x7F80> : tensor<bf16>
    %1 = stablehlo.reduce(%arg0 init: %0) applies stablehlo.minimum across dimensions = [1] : (tensor<2x3xbf16>, tensor<bf16>) -> tensor<2xbf16>
    %2 = stablehlo.broadcast_in_dim %1, dims = [0] : (tensor<2xbf16>) -> tensor<2x3xbf16>
    %3 = stablehlo.compare EQ, %arg0, %2, FLOAT : (tensor<2x3xbf16>, tensor<2x3xbf16>) -> tensor<2x3xi1>
    %4 = stablehlo.convert %3 : (tensor<2x3xi1>) -> tensor<2x3xbf16>
    %5 = stablehlo.constant dense<0.0> : tensor<bf16>
    %6 = stablehlo.reduce(%4 init: %5) applies stablehlo.add across dimensions = [1] : (tensor<2x3xbf16>, tensor<bf16>) -> tensor<2xbf16>
    %7 = stablehlo.broadcast_in_dim %6, dims = [0] : (tensor<2xbf16>) -> tensor<2x3xbf16>
    %8 = stablehlo.divide %4, %7 : tensor<2x3xbf16>
    %9 = stablehlo.broadcast_in_dim %arg1, dims = [0] : (tensor<2xbf16>) -> tensor<2x3xbf16>
    %10 = stablehlo.multiply %8, %9 : tensor<2x3xbf16>
    return %1, %10 : tensor<2xbf16>, tensor<2x3xbf16>
  }
}
