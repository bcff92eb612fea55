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
    %12 = stablehlo.constant dense<0> : tensor<i32>
    %13 = stablehlo.constant dense<1> : tensor<i32>
    %14 = stablehlo.constant dense<4> : tensor<i32>
    %15 = stablehlo.constant dense<0.0> : tensor<3x4x3xf32>
    %16:2 = stablehlo.while(%17 = %12, %18 = %15) : tensor<i32>, tensor<3x4x3xf32>
    cond {
      %19 = stablehlo.compare LT, %17, %14, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %19 : tensor<i1>
    } do {
    %20 = stablehlo.constant dense<2> : tensor<i32>
    %21 = stablehlo.multiply %17, %20 : tensor<i32>
    %22 = stablehlo.constant dense<0> : tensor<i32>
    %23 = stablehlo.dynamic_slice %7, %21, %22, sizes = [2, 4] : (tensor<8x4xbf16>, tensor<i32>, tensor<i32>) -> tensor<2x4xbf16>
    %24 = stablehlo.constant dense<0> : tensor<i32>
    %25 = stablehlo.dynamic_slice %10, %21, %24, sizes = [2, 3] : (tensor<8x3xbf16>, tensor<i32>, tensor<i32>) -> tensor<2x3xbf16>
    %26 = stablehlo.dot_general %23, %25, contracting_dims = [0] x [0] : (tensor<2x4xbf16>, tensor<2x3xbf16>) -> tensor<4x3xf32>
    %27 = stablehlo.reshape %26 : (tensor<4x3xf32>) -> tensor<1x4x3xf32>
    %28 = stablehlo.dynamic_slice %11, %17, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
    %29 = stablehlo.reshape %28 : (tensor<1xi32>) -> tensor<i32>
    %30 = stablehlo.constant dense<2> : tensor<i32>
    %31 = stablehlo.minimum %29, %30 : tensor<i32>
    %32 = stablehlo.constant dense<0> : tensor<i32>
    %33 = stablehlo.dynamic_slice %18, %31, %32, %32, sizes = [1, 4, 3] : (tensor<3x4x3xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x3xf32>
    %34 = stablehlo.add %33, %27 : tensor<1x4x3xf32>
    %35 = stablehlo.constant dense<0> : tensor<i32>
    %36 = stablehlo.dynamic_update_slice %18, %34, %31, %35, %35 : (tensor<3x4x3xf32>, tensor<1x4x3xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x4x3xf32>
    %37 = stablehlo.add %17, %13 : tensor<i32>
    stablehlo.return %37, %36 : tensor<i32>, tensor<3x4x3xf32>
    }
    %38 = stablehlo.convert %arg2 : (tensor<3x4x3xf32>) -> tensor<3x4x3xbf16>
    %39 = stablehlo.constant dense<0> : tensor<i32>
    %40 = stablehlo.constant dense<1> : tensor<i32>
    %41 = stablehlo.constant dense<4> : tensor<i32>
    %42 = stablehlo.constant dense<0.0> : tensor<8x4xbf16>
    %43:2 = stablehlo.while(%44 = %39, %45 = %42) : tensor<i32>, tensor<8x4xbf16>
    cond {
      %46 = stablehlo.compare LT, %44, %41, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %46 : tensor<i1>
    } do {
    %47 = stablehlo.constant dense<2> : tensor<i32>
    %48 = stablehlo.multiply %44, %47 : tensor<i32>
    %49 = stablehlo.constant dense<0> : tensor<i32>
    %50 = stablehlo.dynamic_slice %10, %48, %49, sizes = [2, 3] : (tensor<8x3xbf16>, tensor<i32>, tensor<i32>) -> tensor<2x3xbf16>
    %51 = stablehlo.dynamic_slice %11, %44, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
    %52 = stablehlo.reshape %51 : (tensor<1xi32>) -> tensor<i32>
    %53 = stablehlo.constant dense<2> : tensor<i32>
    %54 = stablehlo.minimum %52, %53 : tensor<i32>
    %55 = stablehlo.constant dense<0> : tensor<i32>
    %56 = stablehlo.dynamic_slice %38, %54, %55, %55, sizes = [1, 4, 3] : (tensor<3x4x3xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x3xbf16>
    %57 = stablehlo.reshape %56 : (tensor<1x4x3xbf16>) -> tensor<4x3xbf16>
    %58 = stablehlo.dot_general %50, %57, contracting_dims = [1] x [1] : (tensor<2x3xbf16>, tensor<4x3xbf16>) -> tensor<2x4xbf16>
    %59 = stablehlo.constant dense<0> : tensor<i32>
    %60 = stablehlo.dynamic_update_slice %45, %58, %48, %59 : (tensor<8x4xbf16>, tensor<2x4xbf16>, tensor<i32>, tensor<i32>) -> tensor<8x4xbf16>
    %61 = stablehlo.add %44, %40 : tensor<i32>
    stablehlo.return %61, %60 : tensor<i32>, tensor<8x4xbf16>
    }
    %62 = stablehlo.constant dense<0> : tensor<i32>
    %63 = stablehlo.constant dense<1> : tensor<i32>
    %64 = stablehlo.constant dense<4> : tensor<i32>
    %65 = stablehlo.constant dense<0.0> : tensor<8x3xbf16>
    %66:2 = stablehlo.while(%67 = %62, %68 = %65) : tensor<i32>, tensor<8x3xbf16>
    cond {
      %69 = stablehlo.compare LT, %67, %64, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %69 : tensor<i1>
    } do {
    %70 = stablehlo.constant dense<2> : tensor<i32>
    %71 = stablehlo.multiply %67, %70 : tensor<i32>
    %72 = stablehlo.constant dense<0> : tensor<i32>
    %73 = stablehlo.dynamic_slice %7, %71, %72, sizes = [2, 4] : (tensor<8x4xbf16>, tensor<i32>, tensor<i32>) -> tensor<2x4xbf16>
    %74 = stablehlo.dynamic_slice %11, %67, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
    %75 = stablehlo.reshape %74 : (tensor<1xi32>) -> tensor<i32>
    %76 = stablehlo.constant dense<2> : tensor<i32>
    %77 = stablehlo.minimum %75, %76 : tensor<i32>
    %78 = stablehlo.constant dense<0> : tensor<i32>
    %79 = stablehlo.dynamic_slice %38, %77, %78, %78, sizes = [1, 4, 3] : (tensor<3x4x3xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x3xbf16>
    %80 = stablehlo.reshape %79 : (tensor<1x4x3xbf16>) -> tensor<4x3xbf16>
    %81 = stablehlo.dot_general %73, %80, contracting_dims = [1] x [0] : (tensor<2x4xbf16>, tensor<4x3xbf16>) -> tensor<2x3xbf16>
    %82 = stablehlo.constant dense<0> : tensor<i32>
    %83 = stablehlo.dynamic_update_slice %68, %81, %71, %82 : (tensor<8x3xbf16>, tensor<2x3xbf16>, tensor<i32>, tensor<i32>) -> tensor<8x3xbf16>
    %84 = stablehlo.add %67, %63 : tensor<i32>
    stablehlo.return %84, %83 : tensor<i32>, tensor<8x3xbf16>
    }
    %85 = stablehlo.constant dense<0.0> : tensor<8x3xbf16>
    %86 = stablehlo.select %9, %66#1, %85 : tensor<8x3xi1>, tensor<8x3xbf16>
    %87 = stablehlo.constant dense<0.0> : tensor<8x4xbf16>
    %88 = stablehlo.select %6, %43#1, %87 : tensor<8x4xi1>, tensor<8x4xbf16>
    return %16#1, %88, %86 : tensor<3x4x3xf32>, tensor<8x4xbf16>, tensor<8x3xbf16>
  }
}
