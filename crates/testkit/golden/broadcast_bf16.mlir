module @broadcast_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2xbf16>, %arg1: tensor<2x3x4xbf16>) -> (tensor<2x3x4xbf16>, tensor<2xbf16>) {
    %0 = stablehlo.broadcast_in_dim %arg0, dims = [0] : (tensor<2xbf16>) -> tensor<2x3x4xbf16>
    %1 = stablehlo.convert %arg1 : (tensor<2x3x4xbf16>) -> tensor<2x3x4xf32>
    %2 = stablehlo.constant dense<0.0> : tensor<f32>
    %3 = stablehlo.reduce(%1 init: %2) applies stablehlo.add across dimensions = [1, 2] : (tensor<2x3x4xf32>, tensor<f32>) -> tensor<2xf32>
    %4 = stablehlo.convert %3 : (tensor<2xf32>) -> tensor<2xbf16>
    return %0, %4 : tensor<2x3x4xbf16>, tensor<2xbf16>
  }
}
