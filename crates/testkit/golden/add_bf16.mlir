module @add_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xbf16>, %arg1: tensor<2x3xbf16>, %arg2: tensor<2x3xbf16>) -> (tensor<2x3xbf16>, tensor<2x3xbf16>, tensor<2x3xbf16>) {
    %0 = stablehlo.add %arg0, %arg1 : tensor<2x3xbf16>
    return %0, %arg2, %arg2 : tensor<2x3xbf16>, tensor<2x3xbf16>, tensor<2x3xbf16>
  }
}
