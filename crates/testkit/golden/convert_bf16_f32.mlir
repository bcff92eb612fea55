module @convert_bf16_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xbf16>, %arg1: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xbf16>) {
    %0 = stablehlo.convert %arg0 : (tensor<2x3xbf16>) -> tensor<2x3xf32>
    %1 = stablehlo.convert %arg1 : (tensor<2x3xf32>) -> tensor<2x3xbf16>
    return %0, %1 : tensor<2x3xf32>, tensor<2x3xbf16>
  }
}
