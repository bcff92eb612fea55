module @sum_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3x4xbf16>, %arg1: tensor<2x3xbf16>) -> (tensor<2x3xbf16>, tensor<2x3x4xbf16>) {
    %0 = stablehlo.constant dense<0.0> : tensor<bf16>
    %1 = stablehlo.reduce(%arg0 init: %0) applies stablehlo.add across dimensions = [2] : (tensor<2x3x4xbf16>, tensor<bf16>) -> tensor<2x3xbf16>
    %2 = stablehlo.broadcast_in_dim %arg1, dims = [0, 1] : (tensor<2x3xbf16>) -> tensor<2x3x4xbf16>
    return %1, %2 : tensor<2x3xbf16>, tensor<2x3x4xbf16>
  }
}
