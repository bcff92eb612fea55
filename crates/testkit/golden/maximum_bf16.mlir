module @maximum_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xbf16>, %arg1: tensor<2x3xbf16>, %arg2: tensor<2x3xbf16>) -> (tensor<2x3xbf16>, tensor<2x3xbf16>, tensor<2x3xbf16>) {
    %0 = stablehlo.maximum %arg0, %arg1 : tensor<2x3xbf16>
    %1 = stablehlo.compare GE, %arg0, %arg1, FLOAT : (tensor<2x3xbf16>, tensor<2x3xbf16>) -> tensor<2x3xi1>
    %2 = stablehlo.constant dense<0.0> : tensor<2x3xbf16>
    %3 = stablehlo.select %1, %arg2, %2 : tensor<2x3xi1>, tensor<2x3xbf16>
    %4 = stablehlo.compare LT, %arg0, %arg1, FLOAT : (tensor<2x3xbf16>, tensor<2x3xbf16>) -> tensor<2x3xi1>
    %5 = stablehlo.select %4, %arg2, %2 : tensor<2x3xi1>, tensor<2x3xbf16>
    return %0, %3, %5 : tensor<2x3xbf16>, tensor<2x3xbf16>, tensor<2x3xbf16>
  }
}
