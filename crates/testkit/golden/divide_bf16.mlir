module @divide_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xbf16>, %arg1: tensor<2x3xbf16>, %arg2: tensor<2x3xbf16>) -> (tensor<2x3xbf16>, tensor<2x3xbf16>, tensor<2x3xbf16>) {
    %0 = stablehlo.divide %arg0, %arg1 : tensor<2x3xbf16>
    %1 = stablehlo.divide %arg2, %arg1 : tensor<2x3xbf16>
    %2 = stablehlo.multiply %arg2, %0 : tensor<2x3xbf16>
    %3 = stablehlo.divide %2, %arg1 : tensor<2x3xbf16>
    %4 = stablehlo.negate %3 : tensor<2x3xbf16>
    return %0, %1, %4 : tensor<2x3xbf16>, tensor<2x3xbf16>, tensor<2x3xbf16>
  }
}
