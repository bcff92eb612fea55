module @logistic_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xbf16>, %arg1: tensor<2x3xbf16>) -> (tensor<2x3xbf16>, tensor<2x3xbf16>) {
    %0 = stablehlo.logistic %arg0 : tensor<2x3xbf16>
    %1 = stablehlo.negate %0 : tensor<2x3xbf16>
    %2 = stablehlo.constant dense<1.0> : tensor<bf16>
    %3 = stablehlo.broadcast_in_dim %2, dims = [] : (tensor<bf16>) -> tensor<2x3xbf16>
    %4 = stablehlo.add %1, %3 : tensor<2x3xbf16>
    %5 = stablehlo.multiply %0, %4 : tensor<2x3xbf16>
    %6 = stablehlo.multiply %arg1, %5 : tensor<2x3xbf16>
    return %0, %6 : tensor<2x3xbf16>, tensor<2x3xbf16>
  }
}
