module @packed_dot_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x48xbf16>, %arg1: tensor<2x24x64x2xbf16>) -> (tensor<5x70xf32>) {
    %0 = stablehlo.transpose %arg1, dims = [0, 2, 1, 3] : (tensor<2x24x64x2xbf16>) -> tensor<2x64x24x2xbf16>
    %1 = stablehlo.reshape %0 : (tensor<2x64x24x2xbf16>) -> tensor<2x64x48xbf16>
    %2 = stablehlo.reshape %1 : (tensor<2x64x48xbf16>) -> tensor<128x48xbf16>
    %3 = stablehlo.slice %2 [0:70, 0:48] : (tensor<128x48xbf16>) -> tensor<70x48xbf16>
    %4 = stablehlo.dot_general %arg0, %3, contracting_dims = [1] x [1] : (tensor<5x48xbf16>, tensor<70x48xbf16>) -> tensor<5x70xf32>
    return %4 : tensor<5x70xf32>
  }
}
